import { describeSink } from '../contract-suites/sink.ts';
import { nodeSink, webSink } from './sinks.ts';

describeSink(nodeSink);
describeSink(webSink);
