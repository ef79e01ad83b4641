import { refusalFor } from '../http/mistake.ts';
import { answerRefusal } from '../http/wire-answers.ts';

type Handler = (request: Request) => Promise<Response>;

/** Lets an answer go out only when what it says is kept. @param flush - resolves once all changes are kept */
export function answerWhenKept(handler: Handler, flush: () => Promise<void>): Handler {
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
