import DataPlane
import JobLifecycle
import JobStores
import SchedulerRuntime
import WireFormats

/// Reads an input file in pieces into lines and faults. Memory: one piece, the lines of one insert, and 16 bytes per
/// line seen, whatever the file's size.
struct BatchCheck {
    private(set) var faults: [BatchFault] = []
    /// No line after this can change that the file is no batch, or enough faults are known.
    private(set) var mustStop = false
    /// A line names a model that an engine may yet turn out to serve: if no other line has a fault, the file is read
    /// again later.
    private(set) var isUndecided = false
    private let endpoint: String
    private let models: ModelKnowledge
    private let settings: FeederSettings
    private var splitter: JSONLines
    private var seen: Set<CustomIDDigest> = []
    private var count = 0
    /// Lines that an earlier, cut validation has inserted.
    private let known: Int
    private var ready: [JobLine] = []

    init(progress: ValidationProgress, models: ModelKnowledge, settings: FeederSettings) {
        endpoint = progress.batch.endpoint
        known = progress.lines
        self.models = models
        self.settings = settings
        splitter = JSONLines(maximumLineBytes: settings.lineBytes)
    }

    mutating func feed(_ piece: [UInt8]) {
        piece.withUnsafeBytes { bytes in
            read { splitter, visit in try splitter.feed(bytes, visit) }
        }
    }

    /// The file ended.
    mutating func finish() {
        read { splitter, visit in try splitter.finish(visit) }
        if count == 0 && faults.isEmpty {
            add(
                BatchFault(
                    code: BatchLineFailure.Code.emptyFile.rawValue, message: "The input file has no requests."))
        }
    }

    /// The lines of the next insert; nil: too few yet, or the file is no batch.
    mutating func takeLines(atEnd: Bool) -> [JobLine]? {
        guard faults.isEmpty, ready.count >= (atEnd ? 1 : settings.linesPerInsert) else { return nil }
        let taken = Array(ready.prefix(settings.linesPerInsert))
        ready.removeFirst(taken.count)
        return taken
    }

    private mutating func read(
        _ body: (inout JSONLines, (JSONLines.Line) throws -> Void) throws -> Void
    ) {
        if mustStop { return }
        // Taken out for the call, because the visitor changes the rest of self.
        var splitter = splitter
        do {
            try body(&splitter) { line in
                if !mustStop { take(line) }
            }
        } catch let failure as JSONLines.Failure {
            add(BatchFault(code: failure.code.rawValue, message: failure.message, line: failure.line))
            mustStop = true
        } catch {
            add(BatchFault(code: "unreadable_file", message: "The input file could not be read."))
            mustStop = true
        }
        self.splitter = splitter
    }

    private mutating func take(_ line: JSONLines.Line) {
        guard count < settings.linesPerBatch else {
            add(
                BatchFault(
                    code: BatchLineFailure.Code.tooManyLines.rawValue,
                    message: "The input file has more than \(settings.linesPerBatch) requests.", line: line.number))
            mustStop = true
            return
        }
        count += 1
        do throws(BatchLineFailure) {
            let parsed = try BatchLine.parse(line.bytes, endpoint: endpoint)
            guard seen.insert(CustomIDDigest(parsed.customID)).inserted else {
                throw .duplicateCustomID(parsed.customID)
            }
            if let fault = fault(of: parsed.request, line.number) { return add(fault) }
            // Lines go in in order: none after the one that waits.
            if isUndecided { return }
            if count > known && faults.isEmpty { ready.append(job(parsed, line)) }
        } catch {
            add(
                BatchFault(
                    code: error.code.rawValue, message: error.message, parameter: error.param, line: line.number))
        }
    }

    /// What the pool of its model says of a line that is well-formed.
    private mutating func fault(of request: RequestScan, _ line: Int) -> BatchFault? {
        switch models.find(request.model) {
        case .served(let pool):
            guard let refusal = PoolRules.refusal(of: request, path: endpoint, by: pool) else { return nil }
            return BatchFault(
                code: refusal.code, message: refusal.message, parameter: refusal.parameter, line: line)
        case .remembered: return nil
        case .unknown:
            let known = Array(models.directory.models.keys)
            let refusal = StatusTable.modelNotFound(request.model, known: known)
            return BatchFault(
                code: refusal.code, message: refusal.message, parameter: "body.model", line: line)
        case .undecided:
            isUndecided = true
            return nil
        }
    }

    private func job(_ parsed: BatchLine, _ line: JSONLines.Line) -> JobLine {
        JobLine(
            index: count - 1, customID: parsed.customID, model: parsed.request.model,
            offset: line.offset + parsed.body.lowerBound, length: parsed.body.count,
            cost: JobCost(
                promptTokens: parsed.request.promptTokenEstimate, outputTokens: parsed.request.maximumOutputTokens,
                sequences: parsed.request.sequences), sendsOnce: parsed.request.store)
    }

    private mutating func add(_ fault: BatchFault) {
        faults.append(fault)
        if faults.count >= settings.faultsPerBatch { mustStop = true }
    }
}

/// 128 bits of a custom id, keyed for this process: enough to call two ids the same.
struct CustomIDDigest: Hashable {
    private let first: Int
    private let second: Int

    init(_ text: String) {
        var hasher = Hasher()
        hasher.combine(text)
        first = hasher.finalize()
        hasher = Hasher()
        hasher.combine(0 as UInt8)
        hasher.combine(text)
        second = hasher.finalize()
    }
}
