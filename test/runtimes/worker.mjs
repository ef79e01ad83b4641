// For workerd: what to do comes as the body of a request.
import { perform } from './program.mjs';

export default {
  fetch: async (request) => Response.json(await perform(await request.json())),
};
