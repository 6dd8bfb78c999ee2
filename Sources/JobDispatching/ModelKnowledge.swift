import SchedulerRuntime

/// Which models there are, as far as a validation can tell: those that a pool serves now, and those that one served
/// before. A line for one of these waits for its engines as long as its batch's window is open.
struct ModelKnowledge {
    /// What is true of a model's name.
    enum Finding {
        case served(PoolEntry)
        /// No pool serves it now; one did.
        case remembered
        /// Nobody ever served it, and every engine has said what it serves.
        case unknown
        /// An engine that has not been heard yet may serve it.
        case undecided
    }

    let directory: Directory
    let remembered: Set<String>
    /// The engines that have not listed their models yet are still waited for.
    let mayWait: Bool

    func find(_ model: String) -> Finding {
        if let entry = directory.models[model], let pool = directory.pool(entry.pool) { return .served(pool) }
        if remembered.contains(model) { return .remembered }
        return mayWait && directory.awaitsModels ? .undecided : .unknown
    }
}
