import { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Span as OtelSpan, type SpanContext, type Tracer as OtelTracer } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Span, SpanAttributes, SpanParent, SpanStart, Tracer } from './trace.js';

// Nothing of ours is imported but types: this file is loaded while the entry waits for it, and must not wait for the entry.

export interface OtlpOptions {
  service: string;
  /** The collector's address, without the path. */
  endpoint: string;
  /** Of the traces that begin here, from 0 to 1. */
  share: number;
}

const SEND_EVERY_MS = 1_000;
const SEND_TIMEOUT_MS = 2_000;
// Some seconds of a full sale at one in a hundred; a collector that is away costs memory for no more, the rest is dropped.
const SPANS_KEPT_MAX = 8_192;
// A vector or a batch is not larger.
const LINKS_MAX = 256;
// Within what a shutdown may take, after all else.
const STOP_MS = 1_000;

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL };

/** Spans by OpenTelemetry's SDK, sent to a collector as OTLP over HTTP. */
export class OtlpTracer implements Tracer {
  private readonly provider: TracerProvider;
  private readonly tracer: OtelTracer;
  private readonly share: number;

  /** @param warn hears once of each thing that goes wrong: a collector that is away would fill the logs */
  constructor({ service, endpoint, share }: OtlpOptions, warn: (text: string) => void) {
    this.share = share;
    const told = new Set<string>();
    const once = (text: unknown): void => {
      if (told.size < 20 && !told.has(String(text))) warn(String(text));
      told.add(String(text));
    };
    diag.setLogger({ error: once, warn: once, info: once, debug: once, verbose: once }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces`, timeoutMillis: SEND_TIMEOUT_MS });
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'floodgate' }),
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanLimits: { linkCountLimit: LINKS_MAX },
      spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS, exportTimeoutMillis: SEND_TIMEOUT_MS, maxQueueSize: SPANS_KEPT_MAX })],
    });
    this.tracer = this.provider.getTracer('floodgate');
  }

  begin(name: string, { kind, attributes }: SpanStart): Span | undefined {
    // Drawn here: the SDK would make a span with ids and attributes first, for each of the hundred requests of which it keeps one.
    if (Math.random() >= this.share) return undefined;
    return recorded(this.tracer.startSpan(name, { kind: kinds[kind], root: true, ...(attributes ? { attributes } : {}) }, ROOT_CONTEXT));
  }

  next(name: string, { kind, attributes }: SpanStart, parent: SpanParent, others: readonly SpanParent[]): Span | undefined {
    const context = contextOf(parent);
    if (!context) return undefined;
    const links = others.map(contextOf).filter((other) => other !== null).map((other) => ({ context: other }));
    return recorded(this.tracer.startSpan(name, { kind: kinds[kind], links, ...(attributes ? { attributes } : {}) }, trace.setSpanContext(ROOT_CONTEXT, context)));
  }

  /** Hands over what is there, as far as the collector takes it within a moment. */
  async stop(): Promise<void> {
    const late = new Promise<void>((resolve) => { setTimeout(resolve, STOP_MS).unref(); });
    await Promise.race([this.provider.shutdown().catch(() => undefined), late]); // what is lost is only a trace
  }
}

class RecordedSpan implements Span {
  readonly context: SpanContext;

  constructor(private readonly span: OtelSpan) {
    this.context = span.spanContext();
  }

  get traceId(): string {
    return this.context.traceId;
  }

  get traceparent(): string {
    return `00-${this.context.traceId}-${this.context.spanId}-01`;
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  link(to: Span): void {
    if (to instanceof RecordedSpan) this.span.addLink({ context: to.context });
  }

  fail(error: unknown): void {
    this.span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    this.span.end();
  }
}

const recorded = (span: OtelSpan): Span | undefined => (span.isRecording() ? new RecordedSpan(span) : undefined);

/** Of a step that is recorded: what is not is never handed on. */
function contextOf(parent: SpanParent): SpanContext | null {
  if (parent instanceof RecordedSpan) return parent.context;
  const context = typeof parent === 'string' ? parseTraceParent(parent) : null;
  return context && (context.traceFlags & TraceFlags.SAMPLED) !== 0 ? { ...context, isRemote: true } : null;
}
