import { z } from 'zod';
import { loadConfig } from '../config/load-config.js';
import { traceConfig, type TraceConfig } from '../config/trace-config.js';
import { createLogger } from './logger.js';
import { traceWith } from './trace.js';

/**
 * Has this process record its part of traces, if its configuration says so.
 * @returns hands over what is not sent yet, and ends it
 * @throws ConfigError
 */
export async function startTracing(service: string, config: TraceConfig = loadConfig(z.object(traceConfig))): Promise<() => Promise<void>> {
  if (config.OTEL_TRACES_EXPORTER === 'none') return () => Promise.resolve();
  // Here and nowhere else: a process that does not trace loads none of it.
  const { OtlpTracer } = await import('./otlp.tracer.js');
  const logger = createLogger('traces');
  const tracer = new OtlpTracer({ service, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT, share: config.OTEL_TRACES_SAMPLER_ARG }, (text) => logger.warn(text));
  traceWith(tracer);
  return async () => {
    traceWith(undefined);
    await tracer.stop();
  };
}
