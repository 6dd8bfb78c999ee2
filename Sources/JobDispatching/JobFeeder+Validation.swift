import JobLifecycle
import JobStores
import Logging

extension JobFeeder {
    /// The validation task: one batch at a time, in the order they were made.
    func validateBatches() async {
        while !Task.isCancelled {
            guard let batch = inbox.nextValidation() else {
                await inbox.validationSignal.wait()
                continue
            }
            do throws(StoreFailure) {
                try await validate(batch)
            } catch {
                // Conflict: it was cancelled meanwhile. Not found: it is gone.
                if error.code != .unavailable && error.code != .limitReached { continue }
                await waitForStore("a batch could not be validated yet", error, ["batch": "\(batch.text)"])
                inbox.add(validation: batch)
            }
        }
    }

    private func validate(_ id: BatchID) async throws(StoreFailure) {
        let store = world.store
        guard let progress = try await store.validationProgress(id) else { return }
        let version = inbox.directoryVersion
        let patience = progress.batch.times.created + settings.modelGrace
        let models = try await knowledge(mayWait: world.clock.wall() < patience)
        var check = BatchCheck(progress: progress, models: models, settings: settings)
        let reader: any FileReading
        do throws(StoreFailure) {
            reader = try await store.openInput(progress.batch.inputFile)
        } catch  where error.code == .notFound {
            let fault = BatchFault(code: "input_file_lost", message: "The input file is gone.")
            return try await reject(id, [fault])
        }
        var offset = 0
        while !Task.isCancelled {
            let piece = try await reader.read(at: offset, count: 1 << 18)
            offset += piece.count
            if piece.isEmpty { check.finish() } else { check.feed(piece) }
            while let lines = check.takeLines(atEnd: piece.isEmpty) {
                try await store.insertLines(lines, batch: id)
            }
            if piece.isEmpty || check.mustStop { break }
        }
        if Task.isCancelled { return }
        if check.isUndecided && check.faults.isEmpty { return inbox.setAside(id, until: patience, version: version) }
        let now = world.clock.wall()
        if check.faults.isEmpty {
            let admitted = try await store.admit(id, now: now)
            if admitted.state == .finalizing { inbox.add(publishing: id) }
            inbox.refresh()
        } else {
            try await reject(id, check.faults)
        }
    }

    private func knowledge(mayWait: Bool) async throws(StoreFailure) -> ModelKnowledge {
        let directory = world.directory()
        // Before a line is accepted for its model: the next life must know it too.
        try await rememberModels()
        return ModelKnowledge(
            directory: directory, remembered: Set(try await world.store.knownModels()), mayWait: mayWait)
    }

    private func reject(_ id: BatchID, _ faults: [BatchFault]) async throws(StoreFailure) {
        world.batchEnded(try await world.store.reject(id, faults: faults, now: world.clock.wall()))
        // The endings task sweeps the lines that were added before the fault was found.
        inbox.publishSignal.raise()
    }
}
