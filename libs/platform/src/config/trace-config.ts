import { z } from 'zod';

/** Traces, by OpenTelemetry's own names. Off unless somebody names an exporter. */
export const traceConfig = {
  OTEL_TRACES_EXPORTER: z.enum(['none', 'otlp']).default('none'),
  /** The collector, by OTLP over HTTP as JSON; spans go to its `/v1/traces`. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:4318'),
  /** The gateway draws, the other services follow it. */
  OTEL_TRACES_SAMPLER: z.literal('parentbased_traceidratio').default('parentbased_traceidratio'),
  /** The share of requests that are traced. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(0.01),
};
export type TraceConfig = { [K in keyof typeof traceConfig]: z.infer<(typeof traceConfig)[K]> };
