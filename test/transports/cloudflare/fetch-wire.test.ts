import { wire } from '../../../src/transports/cloudflare/fetch-wire.ts';
import { describeWire } from '../../contract-suites/wire.ts';

describeWire('fetch', wire);
