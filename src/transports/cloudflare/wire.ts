// The service's JSON to the contract's words and back: pure, and the one place that knows the service's names. The
// broker, which needs them from the other side, takes the types of wire-format.ts.
export { encodeAck, encodeBulkPush, encodePeek, encodePull, encodePurge, encodePush } from './wire-request.ts';
export {
  decodeAckResult,
  decodeEnvelope,
  decodeMetrics,
  decodePurgeResult,
  decodePushResult,
  lacking,
} from './wire-answer.ts';
export { decodePeekResult, decodePullResult } from './wire-message.ts';
