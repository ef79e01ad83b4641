import fc from 'fast-check';

// That a property fails is all that is asked here.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
