/// The common case of a step, in one pass each over the running sequences: decodes that stay inside their blocks.
///
/// Only a shorter way to the same state: whatever is not common is left to the general case, in its order.
extension BatchingEngine {
    /// Schedules one token for each sequence from `position` on that decodes within its blocks and publishes none.
    /// Stops at the first that is not so, or where the budget ends; `position` names it.
    mutating func scheduleDecodes(from position: inout Int, budget: inout Int) {
        var place = position
        var left = budget
        let running = running
        slots.withUnsafeMutableBufferPointer { slots in
            running.withUnsafeBufferPointer { running in
                while place < running.count, left > 0 {
                    let index = Int(running[place])
                    let computed = slots[index].computed
                    guard slots[index].length - computed == 1, computed < slots[index].room,
                        computed + 1 < slots[index].nextPublish
                    else { return }
                    slots[index].computed = computed + 1
                    slots[index].scheduled = 1
                    left -= 1
                    place += 1
                }
            }
        }
        position = place
        budget = left
    }

    /// Ends the step for the sequences from `position` on that got a token which is neither their first nor their last,
    /// or that the step left out. Stops at the first that is not so. `kept` counts the sequences that stay.
    mutating func finishDecodes(from position: inout Int, kept: inout Int) {
        var place = position
        var keep = kept
        var generated = 0
        // Taken out and put back: a part of the engine cannot change while another part is lent out.
        var order: ContiguousArray<Int32> = []
        swap(&order, &running)
        slots.withUnsafeMutableBufferPointer { slots in
            order.withUnsafeMutableBufferPointer { running in
                while place < running.count {
                    let index = Int(running[place])
                    guard slots[index].phase == .running else { return }
                    if slots[index].scheduled > 0 {
                        let length = slots[index].length
                        guard slots[index].computed == length, !slots[index].isPrefilling,
                            length + 1 < slots[index].promptTokens + slots[index].maximumTokens
                        else { return }
                        slots[index].length = length + 1
                        slots[index].scheduled = 0
                        generated += 1
                    }
                    running[keep] = running[place]
                    keep += 1
                    place += 1
                }
            }
        }
        swap(&order, &running)
        counters.generatedTokens += generated
        position = place
        kept = keep
    }
}
