/// Chooses one of the scored candidates.
package enum Picker: String, Sendable, CaseIterable {
    /// The highest total; equal ones by lot.
    case best
    /// The better of two drawn by lot.
    case powerOfTwo = "power-of-two"
    /// One after the other, whatever their totals.
    case roundRobin = "round-robin"
    /// By lot, whatever their totals.
    case random
    /// By lot, each as likely as its share of all totals; totals below 0 count as 0.
    case weightedRandom = "weighted-random"
}
