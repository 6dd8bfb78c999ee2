/// What a metric is: the same for every series of its family.
package struct MetricDefinition: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Only grows while the process lives; its name ends in `_total`.
        case counter
        case gauge
        /// Upper bounds of the buckets, ascending, without the infinite one.
        case histogram([Double])
    }

    package var name: String
    package var help: String
    package var kind: Kind
    /// Label names, in the order in which series give their values.
    package var labels: [String]

    init(_ name: String, _ kind: Kind, _ labels: [String] = [], help: String) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }
}

/// One series' figures at the time of a scrape.
package struct MetricSeries: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case number(Double)
        /// Observations in each bucket (not cumulative; one more than there are bounds), and the sum of all.
        case histogram(counts: [UInt64], sum: Double)
    }

    /// One for each label of the definition.
    package var labels: [String]
    package var value: Value

    package init(_ labels: [String] = [], _ value: Double) {
        self.labels = labels
        self.value = .number(value)
    }

    package init(_ labels: [String], histogram counts: [UInt64], sum: Double) {
        self.labels = labels
        self.value = .histogram(counts: counts, sum: sum)
    }
}

/// A metric with all its series at the time of a scrape.
package struct MetricFamily: Sendable, Equatable {
    package var definition: MetricDefinition
    package var series: [MetricSeries]

    package init(_ definition: MetricDefinition, _ series: [MetricSeries]) {
        self.definition = definition
        self.series = series
    }

    package init(_ definition: MetricDefinition, _ value: Double) {
        self.init(definition, [MetricSeries([], value)])
    }
}
