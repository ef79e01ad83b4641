// The vitest of packages/, not the one that tests the library.
export default { test: { include: ['vitest.test.mjs'] } };
