extension HouseRule {
    /// Rules about what may touch the world, and where.
    static let purityRules: [HouseRule] = [
        forbidding(
            {
                /\b(?:ContinuousClock|SuspendingClock|DispatchTime|NIODeadline)\b|\bDate\(|\bclock_gettime\b|\bgettimeofday\b|\btime\(nil\)/
            },
            name: "The core reads no clock", message: "the core takes time as an argument", where: isCore),
        forbidding(
            { /\bawait\b|\bactor\s+\w|\)\s*async\b|\basync\s+(?:let|throws|->|var)/ },
            name: "The core is synchronous", message: "the core does not suspend", where: isCore),
        forbidding(
            { /\b(?:Mutex|Atomic|OSAllocatedUnfairLock|pthread_\w+)\b/ },
            name: "The core takes no lock", message: "the core is values; the host holds the lock", where: isCore),
        forbidding(
            { /\b(?:SystemRandomNumberGenerator|Hasher)\b|\.random\(in: [^,)]*\)|\.(?:shuffled|randomElement)\(\)/ },
            name: "The core's randomness is an argument",
            message: "unseeded, or different in each process: take a generator or a stable digest", where: isCore),
        forbidding(
            { /(?:^|[^.\w])(?:debugPrint|print|dump)\(/ },
            name: "Only the executable prints", message: "print( outside App"
        ) { file, _ in file.isSource && file.room != "App" },
        forbidding(
            {
                /\bTask(?:\.detached|\.immediate)?\s*(?:<[^>]*>\s*)?(?:\([^)]*\)\s*)?\{|\bTask\.(?:detached|immediate)\b/
            },
            name: "Tasks are structured", message: "use a task group or a service; nothing waits for this task"
        ) { file, _ in file.isSource },
        forbidding(
            { /\bTask\.sleep\b|\bThread\.sleep\b|(?:^|[^.\w])(?:sleep|usleep|nanosleep)\(/ },
            name: "Tests do not sleep", message: "advance a clock or await a named signal"
        ) { file, _ in !file.isSource },
    ]
}
