export default { testMatch: ['**/jest.test.mjs'], transform: {}, testEnvironment: process.env.ENVIRONMENT ?? 'node' };
