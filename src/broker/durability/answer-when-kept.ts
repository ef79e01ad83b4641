import type { ApiHandler } from '../http/api-exchange.ts';
import { refusalFor } from '../http/mistake.ts';
import { answerRefusal } from '../http/wire-answers.ts';

/** Lets an answer go out only when what it says is kept. @param flush - resolves once all changes are kept */
export function answerWhenKept(handler: ApiHandler, flush: () => Promise<void>): ApiHandler {
  return async (request) => {
    const response = await handler(request);
    try {
      await flush();
      return response;
    } catch (error) {
      return answerRefusal(refusalFor(error));
    }
  };
}
