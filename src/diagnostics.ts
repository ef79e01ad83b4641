export type { Observer } from './contract/observer.ts';
export {
  type DiagnosticsEvent,
  type DiagnosticsPayloads,
  observeWithDiagnostics,
  type TracedPayload,
} from './observe/node-diagnostics.ts';
