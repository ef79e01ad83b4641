import fc from 'fast-check';

// That a property fails, and of what, is all that is asked here.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true, includeErrorInReport: true });
