// For workerd: what to do comes as the body of a request.
import { refusals, run } from './program.mjs';

export default {
  async fetch(request) {
    const { connections, addresses, forMs } = await request.json();
    return Response.json(addresses === undefined ? await run(connections) : await refusals(addresses, forMs));
  },
};
