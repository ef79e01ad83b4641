/**
 * How a refusal is known. `documented`: by the service's documentation. `recorded`: of the live service, by whom `seen` names.
 * `inferred`: from its neighbours. `own`: an answer to something that only the broker has.
 */
export type Provenance = 'documented' | 'recorded' | 'inferred' | 'own';

/** One way in which a request is refused. */
export interface RefusalRow {
  readonly status: number;
  readonly code: number;
  /** `{name}` stands for what the request says. */
  readonly text: string;
  readonly source: Provenance;
  /** Where it was seen, and which part of it is inferred after all. */
  readonly seen: string;
}

/** The name of a row of the table. */
export type RefusalName =
  | 'noCredentials'
  | 'wrongCredentials'
  | 'noRoute'
  | 'noAccount'
  | 'methodNotAllowed'
  | 'malformedQueueId'
  | 'noQueue'
  | 'pullNotEnabled'
  | 'deliveryPaused'
  | 'delay'
  | 'contentType'
  | 'messageSize'
  | 'batchSize'
  | 'batchCount'
  | 'emptyBatch'
  | 'unexpected'
  | 'malformedBody'
  | 'invalid'
  | 'queueName'
  | 'queueNameTaken'
  | 'queueSettings'
  | 'jurisdiction'
  | 'consumerExists'
  | 'consumerType'
  | 'consumerScript'
  | 'noConsumer'
  | 'consumerSettings'
  | 'unknownLease'
  | 'subscription'
  | 'eventTypes'
  | 'subscriptionExists'
  | 'noSubscription'
  | 'rateLimited'
  | 'queueOverloaded'
  | 'internal'
  | 'edgeHost'
  | 'edgeTarget'
  | 'edgeMisdirected'
  | 'edgeExpectation'
  | 'edgeTransferCoding'
  | 'edgeContentCoding';

const errorCodes = "the Queues page 'Error codes'";
const distilled = 'live tests of alchemy-run/distilled';
const wrangler = 'what wrangler knows';
const flareOperator = 'recordings of chenhunghan/flare-operator of 2026-09-29';
const edge = "its edge answers it, and nobody recorded how; the code says 'invalid request'";

type Cells = readonly [status: number, code: number, text: string, source: Provenance, seen: string];

function row(...[status, code, text, source, seen]: Cells): RefusalRow {
  return { status, code, text, source, seen };
}

/** Every refusal of the broker: `refusals` makes them of it, and `docs/refusals.md` shows it. */
export const refusalTable: Readonly<Record<RefusalName, RefusalRow>> = {
  noCredentials: row(401, 10_000, 'Authentication error', 'documented', 'the API reference; status inferred'),
  wrongCredentials: row(
    403,
    10_000,
    'Authentication error',
    'recorded',
    `${distilled}, for a token that is valid, now and then`,
  ),
  noRoute: row(404, 7000, 'No route for that URI', 'recorded', 'many reports of users'),
  noAccount: row(
    404,
    7003,
    'Could not route to {path}, perhaps your object identifier is invalid?',
    'recorded',
    'many reports of users',
  ),
  methodNotAllowed: row(
    405,
    7001,
    'Method {method} not available for that URI',
    'inferred',
    'its neighbours 7000 and 7003',
  ),
  malformedQueueId: row(400, 10_107, 'Queue ID is malformed', 'documented', `${errorCodes}; status and text inferred`),
  noQueue: row(404, 11_000, 'Queue does not exist', 'recorded', `reports of users; ${errorCodes} has 10104 for it`),
  pullNotEnabled: row(
    405,
    0,
    'messages cannot be pulled unless http_pull mode is enabled',
    'recorded',
    'six reports of users, and a patch of alchemy-run/distilled',
  ),
  deliveryPaused: row(
    409,
    0,
    'queue_delivery_paused',
    'documented',
    "the Queues page 'Pause and purge'; code inferred",
  ),
  delay: row(400, 10_202, 'delay_seconds must be an integer in 0..86400', 'documented', `${errorCodes}; text inferred`),
  contentType: row(
    400,
    10_203,
    "content_type must be 'text' or 'json' over HTTP",
    'documented',
    `${errorCodes}; text inferred`,
  ),
  messageSize: row(
    400,
    10_204,
    'message size of {bytes} bytes exceeds limit of {limit} bytes (10204)',
    'documented',
    `${errorCodes}; text after that of the batch`,
  ),
  batchSize: row(
    400,
    10_205,
    'batch size of {bytes} bytes exceeds limit of {limit} bytes (10205)',
    'recorded',
    'reports of users',
  ),
  batchCount: row(
    400,
    10_206,
    'batch count of {count} exceeds limit of {limit} (10206)',
    'documented',
    `${errorCodes}; text after that of the batch`,
  ),
  emptyBatch: row(400, 10_013, 'batch contains no messages', 'recorded', distilled),
  unexpected: row(400, 10_207, '{problem}', 'recorded', `${distilled}: Expected object, received string at "body"`),
  malformedBody: row(400, 10_208, 'Request body is malformed: {problem}', 'documented', `${errorCodes}; text inferred`),
  invalid: row(
    400,
    10_026,
    '{problem}',
    'documented',
    'the API reference; that it covers the numbers of a pull is inferred',
  ),
  queueName: row(
    400,
    11_003,
    "Queue name '{name}' is invalid: invalid queue name: {name}. Must match ^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$.",
    'recorded',
    `${flareOperator}, for POST; code on PUT: ${distilled}`,
  ),
  queueNameTaken: row(
    409,
    11_009,
    "Queue name '{name}' is already taken. Please use a different name and try again.",
    'recorded',
    flareOperator,
  ),
  queueSettings: row(400, 100_128, '{problem}', 'recorded', `${wrangler}; text inferred`),
  jurisdiction: row(
    400,
    100_128,
    'jurisdiction is set when a queue is made, and can not be changed',
    'documented',
    "the Queues page 'Data location'; code and text inferred",
  ),
  consumerExists: row(
    409,
    11_004,
    'Queue already has a consumer',
    'inferred',
    'its neighbours; one consumer a queue is documented',
  ),
  consumerType: row(
    400,
    10_026,
    "type must be 'http_pull' or 'worker'",
    'recorded',
    `${distilled}, for a consumer without a type; text inferred`,
  ),
  consumerScript: row(
    400,
    10_026,
    'script_name must be the name of a Worker',
    'inferred',
    'the consumer without a type',
  ),
  noConsumer: row(
    404,
    11_006,
    'Consumer does not exist',
    'recorded',
    'live tests of providers, which had 10013 and 10105 too; text inferred',
  ),
  consumerSettings: row(400, 100_127, '{problem}', 'recorded', `${wrangler}; text inferred`),
  unknownLease: row(400, 10_026, 'lease_id is not known', 'own', "the option 'unknownLeases': 'refuse'"),
  subscription: row(400, 10_026, '{problem}', 'inferred', 'the consumer without a type'),
  eventTypes: row(400, 0, 'Unrecognized event types: {events}', 'recorded', `${distilled}; status inferred`),
  subscriptionExists: row(
    409,
    0,
    'A subscription of this source exists already',
    'recorded',
    'alchemy-run/alchemy; status, code and text inferred',
  ),
  noSubscription: row(404, 0, 'No subscription with this ID', 'recorded', 'alchemy-run/alchemy; code inferred'),
  rateLimited: row(
    429,
    971,
    'Please wait and consider throttling your request speed',
    'documented',
    "the API's page on limits",
  ),
  queueOverloaded: row(
    429,
    10_250,
    'Queue is overloaded, please back off',
    'documented',
    `${errorCodes}; text inferred`,
  ),
  internal: row(500, 15_000, 'Unknown internal error', 'documented', errorCodes),
  edgeHost: row(
    400,
    10_026,
    'There must be one Host header, a name or an address with or without a port',
    'inferred',
    edge,
  ),
  edgeTarget: row(400, 10_026, 'The target of a request must be a path', 'inferred', edge),
  edgeMisdirected: row(421, 10_026, 'This server answers for itself alone: it is no proxy', 'inferred', edge),
  edgeExpectation: row(417, 10_026, 'Nothing but 100-continue may be expected', 'inferred', edge),
  edgeTransferCoding: row(501, 10_026, 'A body may be transferred in chunks, and in no other coding', 'inferred', edge),
  edgeContentCoding: row(415, 10_026, 'A body may be compressed by gzip, once, or not at all', 'inferred', edge),
};
