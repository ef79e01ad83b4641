import type { ApiRequest } from './api-exchange.ts';
import { edgeRefusals } from './edge-refusals.ts';
import { Refusal, refusals } from './refusal.ts';

/** The largest request that is read at all: 100 messages at their limits, every character escaped, and room to spare. */
export const maxRequestBytes = 10_000_000;

/** What a body of more bytes is refused with. */
export const tooLarge = (): Refusal => refusals.malformedBody(`more than ${maxRequestBytes} bytes`);

/** The body as text, inflated if need be. @throws Refusal */
export async function readText(request: ApiRequest): Promise<string> {
  const coding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (coding === 'gzip' || coding === 'x-gzip') return inflate(request);
  if (coding !== 'identity' && coding !== '') throw edgeRefusals.contentCoding();
  const text = await request.text().catch(toRefusal('it ended before its time'));
  if (text.length > maxRequestBytes) throw tooLarge();
  return text;
}

/** No more is inflated than may be: a few bytes can stand for very many. */
async function inflate({ body }: ApiRequest): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  try {
    for await (const chunk of body.pipeThrough(new DecompressionStream('gzip')) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maxRequestBytes) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    return toRefusal('it is not gzip')(error);
  }
  return text + decoder.decode();
}

/** What reading failed with; of the engine's own words nothing is left. */
function toRefusal(problem: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof Refusal ? error : refusals.malformedBody(problem);
  };
}
