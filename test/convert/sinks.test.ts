import { describeSinkFailures } from '../contract-suites/sink-failures.ts';
import { describeSink } from '../contract-suites/sink.ts';
import { nodeSink, webSink } from './sinks.ts';

describeSink(nodeSink);
describeSink(webSink);
describeSinkFailures(nodeSink);
describeSinkFailures(webSink);
