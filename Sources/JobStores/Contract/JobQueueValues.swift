package import JobLifecycle

/// What the dispatcher is told.
package enum StoreChange: Sendable, Hashable {
    case batchCreated(BatchID)
    /// Cancelled by its tenant: running lines are to be withdrawn, then the batch published.
    case batchCancelling(BatchID)
    case health(StoreHealth)
}

/// What a start found.
package struct Recovery: Sendable {
    /// Counts the starts, from 1.
    package var epoch: Int64
    /// Jobs that an earlier life held.
    package var releasedLeases: Int
    package var validating: [BatchID]
    /// `finalizing` and `cancelling` batches.
    package var ending: [BatchID]

    package init(epoch: Int64, releasedLeases: Int, validating: [BatchID], ending: [BatchID]) {
        self.epoch = epoch
        self.releasedLeases = releasedLeases
        self.validating = validating
        self.ending = ending
    }
}

/// How far the durable part of a validation got. Reading starts at the file's begin again (the duplicate check
/// needs every line), inserting goes on from here.
package struct ValidationProgress: Sendable, Hashable {
    package var batch: Batch
    package var lines: Int

    package init(batch: Batch, lines: Int) {
        self.batch = batch
        self.lines = lines
    }
}

/// A valid line on its way into the store.
package struct JobLine: Sendable, Hashable {
    package var index: Int
    package var customID: String
    package var model: String
    package var offset: Int
    package var length: Int
    package var cost: JobCost
    /// See `Job.sendsOnce`.
    package var sendsOnce: Bool

    package init(
        index: Int, customID: String, model: String, offset: Int, length: Int, cost: JobCost, sendsOnce: Bool = false
    ) {
        self.index = index
        self.customID = customID
        self.model = model
        self.offset = offset
        self.length = length
        self.cost = cost
        self.sendsOnce = sendsOnce
    }
}

package struct ClaimRequest: Sendable {
    package var models: [String]
    package var limit: Int

    package init(models: [String], limit: Int) {
        self.models = models
        self.limit = limit
    }
}

package struct Claim: Sendable {
    package var jobs: [Job]
    /// Pending jobs of the same models left for the next claim; may be too high, never too low.
    package var pending: Int

    package init(jobs: [Job], pending: Int) {
        self.jobs = jobs
        self.pending = pending
    }
}

/// One step of a held job. Everything but `granted` ends the hold.
package struct JobChange: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        /// Granted by the scheduler: the lease becomes durable.
        case granted
        /// Ended, with its one result.
        case ended(JobRecord)
        /// To be tried again. `countsAsAttempt` false: a shed.
        case postponed(until: WallTime, countsAsAttempt: Bool)
        /// Given back unharmed; pending again at once.
        case released
    }

    package var job: JobID
    package var lease: LeaseToken
    package var step: Step

    package init(job: JobID, lease: LeaseToken, step: Step) {
        self.job = job
        self.lease = lease
        self.step = step
    }
}

package enum ChangeResult: Sendable, Hashable {
    case applied
    /// Applied, and it was the last open line of its batch, which is `finalizing` now.
    case drained(BatchID)
    /// Not this holder's any more, already ended, or the batch takes no results.
    case refused
}

package struct Wakeup: Sendable, Hashable {
    /// Jobs made pending by this call.
    package var woken: Int
    /// When the next delayed job is due; nil: none is delayed.
    package var next: WallTime?

    package init(woken: Int, next: WallTime?) {
        self.woken = woken
        self.next = next
    }
}

/// Progress over all batches that have not ended, and the latest of those that have.
package struct StoreOverview: Sendable {
    package struct Line: Sendable {
        package var batch: Batch
        package var pending: Int
        package var delayed: Int
        package var leased: Int

        package init(batch: Batch, pending: Int, delayed: Int, leased: Int) {
            self.batch = batch
            self.pending = pending
            self.delayed = delayed
            self.leased = leased
        }
    }

    /// Oldest first, at most the store's limit; `omitted` tells how many more there are.
    package var batches: [Line]
    package var omitted: Int
    /// Ended batches, those made last first, at most the store's limit.
    package var ended: [Batch]
    /// Input files, output files and database, in bytes.
    package var bytesOnDisk: Int

    package init(batches: [Line], omitted: Int, ended: [Batch] = [], bytesOnDisk: Int) {
        self.batches = batches
        self.omitted = omitted
        self.ended = ended
        self.bytesOnDisk = bytesOnDisk
    }
}
