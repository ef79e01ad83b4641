import type { QueueRegistry } from './queue-registry.ts';
import type { QueueSettings } from './settings.ts';

/** Opens queues. What is given for a former name of a queue that is itself given is left out: it is the older one. */
export function openQueues(registry: QueueRegistry, queues: Readonly<Record<string, QueueSettings>>): void {
  for (const [name, settings] of Object.entries(queues)) {
    const holder = registry.find(name)?.name ?? name;
    if (holder === name || !Object.hasOwn(queues, holder)) registry.open(name, settings);
  }
}
