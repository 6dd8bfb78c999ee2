import Glibc
import Simulation

/// One line on standard error that says how far a run is: overwritten on a terminal, a line now and then elsewhere.
struct ProgressLine {
    private let isTerminal: Bool
    private let isShown: Bool
    private let write: (String) -> Void
    private let clock = ContinuousClock()
    private var shownAt: ContinuousClock.Instant?
    private var isOnScreen = false

    /// Nil: wanted where standard error is a terminal.
    init(
        isWanted: Bool?, isTerminal: Bool = isatty(2) == 1,
        write: @escaping (String) -> Void = StandardOutput.writeError
    ) {
        self.isTerminal = isTerminal
        self.write = write
        isShown = isWanted ?? isTerminal
    }

    mutating func show(_ progress: RunProgress, of policy: String, after seconds: Double) {
        show(ProgressLine.text(progress, of: policy, after: seconds))
    }

    /// At most five times a second on a terminal, once a second elsewhere.
    mutating func show(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = clock.now
        if let shownAt, now - shownAt < (isTerminal ? .milliseconds(200) : .seconds(1)) { return }
        shownAt = now
        isOnScreen = true
        // Back to the line's start, and what was there longer is erased.
        write(isTerminal ? "\r\(text())\u{1b}[K" : text() + "\n")
    }

    mutating func clear() {
        if isTerminal, isOnScreen { write("\r\u{1b}[K") }
        isOnScreen = false
    }

    static func text(_ progress: RunProgress, of policy: String, after seconds: Double) -> String {
        let share = min(1, max(0, progress.share))
        let left = share > 0 ? seconds * (1 - share) / share : 0
        return "\(policy): \(span(progress.virtualSeconds)) of the run, \(Int(share * 100)) %, "
            + "\(Int(progress.virtualSeconds / max(1e-3, seconds))) s/s, \(span(left)) left"
    }

    /// H:MM:SS.
    private static func span(_ seconds: Double) -> String {
        let whole = Int(min(1e9, seconds.rounded(.up)))
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }
}
