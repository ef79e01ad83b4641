import { Command } from 'commander';
import { systemClock } from '../contract/system-clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { BrokerServer } from '../broker/broker-server.ts';
import { createBroker } from '../broker/create-broker.ts';
import { isLoopback } from '../broker/http/loopback.ts';
import { openBroker } from '../broker/durability/open-broker.ts';
import { askCounts, type BrokerCounts } from './counts.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { guardLoopback } from './guard.ts';
import { History } from './history.ts';
import { neededNoProxy } from './no-proxy.ts';
import { answerNumbers } from './numbers.ts';
import { answerPage } from './page.ts';
import { parseCount } from './parse-count.ts';
import { queueFlagSettings } from './queue-flag.ts';
import { readServeConfig, type ServeConfig, serveDefaults, type ServeFlags } from './serve-config.ts';
import { serveReport, serveReportJson } from './serve-report.ts';
import { type Terminal, write } from './terminal.ts';

const help = `
It answers Cloudflare's Queues API: push, pull, ack, peek, purge, metrics, queues, consumers and event subscriptions. No
Worker is run, and no event happens unless it is told to: POST /leasestream/events. Whatever talks to the
service talks to it once its base URL is changed; so does \`npx wrangler queues\`, by CLOUDFLARE_API_BASE_URL.

  --queue jobs
  --queue jobs:id=00112233445566778899aabbccddeeff
        the id that it shall have; else one is made, which --data keeps, and a rename too: the old name finds it then
  --queue jobs:max-retries=5,dead-letter-queue=failed-jobs,visibility-timeout=2m
        settings: ${queueFlagSettings.join(', ')}
        (durations: 500ms, 30s, 5m, 2h, 4d; seconds without a unit)
  --behaviour partialPulls=0.3 --behaviour order=shuffled
        what the documentation leaves open: see BehaviourOptions of leasestream/broker
  --fault failAfter=0.1 --fault latencyMs=[5,50] --fault seed=7
        what shall go wrong: see FaultOptions of leasestream/broker; while it runs, by
        curl -X PUT $BASE/leasestream/faults -H "authorization: Bearer $CLOUDFLARE_API_TOKEN" -d '{"rateLimit":0.2}'
  --config FILE
        all of this as JSON: {"port", "host", "data", "accountId", "apiToken", "allowedOrigins": [ORIGIN, …],
        "queues": {NAME: {"maxRetries", …}}, "faults": {…}, and behaviours by name}

Queues are in memory, unless --data names a directory: then what was confirmed is there after a restart, a kill and a
power cut. A page at / shows the queues, and asks for the token. Prometheus is answered at /leasestream/metrics, with the
token as its bearer token, where the package prom-client is installed beside this one. A host that others can reach needs a token of your own.
It ends with SIGINT and SIGTERM.

Examples:
  $ leasestream serve --queue jobs
  $ leasestream serve --port 0 --queue jobs --json
`;

/** `leasestream serve` */
export function serveCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('serve')
    .description('run a local broker that answers the HTTP API of Cloudflare Queues')
    .option('--port <port>', `where to listen; 0 takes a free one (default: ${serveDefaults.port})`, parsePort)
    .option('--host <host>', `the address to listen on (default: ${serveDefaults.host})`)
    .option('--queue <queue>', 'a queue to begin with: NAME[:setting=value,…]; repeatable', collect)
    .option('--config <file>', 'a file with these options as JSON')
    .option('--data <directory>', 'keep the queues there')
    .option('--account-id <id>', 'the account that it stands for')
    .option('--api-token <token>', 'what clients authenticate with')
    .option('--behaviour <name=value>', 'how it behaves where the service is free to; repeatable', collect)
    .option('--fault <name=value>', 'what shall go wrong; repeatable', collect)
    .option('--allow-origin <origin>', 'a page of which may call, as https://app.example; repeatable', collect)
    .option('--no-page', 'serve no page at /')
    .option(
      '--json',
      'print one line of JSON: {baseUrl, accountId, apiToken, queues: [{name, id}], noProxy?, renamed?}',
    )
    .addHelpText('after', help)
    .action(async (flags: ServeFlags) => {
      await serve(await readServeConfig(flags), terminal, flags.json === true);
      exit(exitCodes.done);
    });
}

async function serve(config: ServeConfig, terminal: Terminal, asJson: boolean): Promise<void> {
  const { broker, close } = await makeBroker(config);
  const history = new History(terminal.clock ?? systemClock);
  try {
    const server = await listen(broker, config, history);
    try {
      await history.start(() => lookAt(broker, server));
      const names = broker.queueNames();
      const connections = names.map((name) => server.queue(name));
      const given = Object.keys(config.broker.queues ?? {});
      const configured = new Map(given.map((name) => [name, server.queue(name)]));
      const noProxy = neededNoProxy(server.baseUrl, terminal.environment);
      const details = { server, connections, configured, config, noProxy };
      await write(terminal, asJson ? serveReportJson(details) : serveReport(details));
      await aborted(terminal.signal);
    } finally {
      history.stop();
      await server.close();
    }
  } finally {
    await close();
  }
}

async function makeBroker({ data, broker }: ServeConfig): Promise<{ broker: Broker; close: () => Promise<void> }> {
  if (data !== undefined) {
    const durable = await openBroker({ ...broker, directory: data });
    return { broker: durable, close: () => durable.close() };
  }
  return { broker: createBroker(broker), close: () => Promise.resolve() };
}

async function lookAt(broker: Broker, { apiToken }: BrokerServer): Promise<BrokerCounts | undefined> {
  const counts = await askCounts(new Headers({ authorization: `Bearer ${apiToken}` }), broker.fetch);
  return counts instanceof Response ? undefined : counts;
}

function listen(broker: Broker, config: ServeConfig, history: History): Promise<BrokerServer> {
  const { host, port, page: hasPage, allowedOrigins } = config;
  const isLocal = isLoopback(host);
  return broker.listen({
    host,
    port,
    allowedOrigins,
    intercept: async (request, next) => {
      const refusal = isLocal ? guardLoopback(request, allowedOrigins) : undefined;
      const page = refusal === undefined && hasPage ? await answerPage(request) : undefined;
      return refusal ?? page ?? (await answerNumbers(request, history, next)) ?? next(request);
    },
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function parsePort(text: string): number {
  const port = text === '0' ? 0 : parseCount(text);
  if (port <= 65_535) return port;
  throw new InputError(`'${text}' is no port: it must be 0..65535`);
}
