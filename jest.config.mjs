/** Decorators with metadata, as the bundler emits them: Nest's injection reads the types of constructor parameters. */
const swc = {
  swcrc: false,
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@floodgate/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.floodgate/', '<rootDir>/.nx/'],
};
const source = ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools', '<rootDir>/test'];

export default {
  // Jest obeys this one only, a project's own is ignored: long enough for the slowest, a test of the whole platform.
  testTimeout: 180_000,
  projects: [
    // No I/O: the whole project answers in seconds.
    { ...common, displayName: 'unit', roots: source, testMatch: ['**/*.spec.ts'], setupFiles: ['<rootDir>/jest.setup.mjs'] },
    // Real servers, beside the source.
    { ...common, displayName: 'integration', roots: source, testMatch: ['**/*.int-spec.ts'], setupFiles: ['<rootDir>/jest.setup.mjs'] },
    // The whole platform, one file per promise.
    { ...common, displayName: 'e2e', roots: ['<rootDir>/test/e2e'], testMatch: ['**/*.e2e-spec.ts'], setupFiles: ['<rootDir>/jest.setup.mjs'] },
  ],
};
