import type { Metric, Registry } from "prom-client";
import type { BucketHistogram } from "./bucket-histogram.js";

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * Lets a registry show numbers that are kept elsewhere as plain numbers: its own counters look their labels up at each increment,
 * which is too dear for the path of a query.
 */
export function registerSampled(
  registry: Registry,
  metric: {
    readonly name: string;
    readonly help: string;
    readonly type: "counter" | "gauge";
    readonly samples: () => Iterable<readonly [labels: Labels, value: number]>;
  },
): void {
  const { name, help, type } = metric;
  register(registry, {
    name,
    help,
    type,
    values: () => Array.from(metric.samples(), ([labels, value]) => ({ labels, value })),
  });
}

export function registerHistogram(
  registry: Registry,
  metric: {
    readonly name: string;
    readonly help: string;
    /** Multiplied into what is shown: 1e-6 for µs shown as seconds. */
    readonly scale: number;
    readonly samples: () => Iterable<readonly [labels: Labels, histogram: BucketHistogram]>;
  },
): void {
  const { name, help, scale } = metric;
  register(registry, {
    name,
    help,
    type: "histogram",
    values: () =>
      Array.from(metric.samples()).flatMap(([labels, histogram]) => {
        const { buckets, sum, count } = histogram.read(scale);
        const inBuckets: Sample[] = buckets.map(({ le, count: value }) => ({
          metricName: `${name}_bucket`,
          labels: { ...labels, le },
          value,
        }));
        return [
          ...inBuckets,
          { metricName: `${name}_sum`, labels, value: sum },
          { metricName: `${name}_count`, labels, value: count },
        ];
      }),
  });
}

function register(
  registry: Registry,
  { name, help, type, values }: { name: string; help: string; type: string; values: () => Sample[] },
): void {
  // A registry asks of a metric no more than its name and this; its types ask for the class.
  const metric = {
    name,
    get: async () => ({ name, help, type, values: values(), aggregator: "sum" }),
  };
  registry.registerMetric(metric as unknown as Metric<string>);
}
