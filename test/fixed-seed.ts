import fc from 'fast-check';

// A run says the same of the same code, wherever it is run. `SEED` of the environment tries other examples;
// `npm run soak` does so on its own.
fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 1) });
