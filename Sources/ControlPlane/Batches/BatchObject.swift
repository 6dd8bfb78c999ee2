import JobLifecycle
import WireFormats

extension Batch {
    /// OpenAI's batch object. Every member is there; what has not happened is null.
    func write(to json: inout JSONText) {
        json.object {
            $0.member("id", id.text)
            $0.member("object", "batch")
            $0.member("endpoint", endpoint)
            $0.member("model", model)
            writeErrors(to: &$0)
            $0.member("input_file_id", inputFile.text)
            $0.member("completion_window", completionWindow)
            $0.member("status", state.rawValue)
            $0.member("output_file_id", outputFile?.text)
            $0.member("error_file_id", errorFile?.text)
            writeTimes(to: &$0)
            $0.object("request_counts") {
                $0.member("total", counts.total)
                $0.member("completed", counts.completed)
                $0.member("failed", counts.failed)
            }
            writeUsage(to: &$0)
            $0.key("metadata")
            if metadata.isEmpty {
                $0.null()
            } else {
                $0.object { for entry in metadata { $0.member(entry.key, entry.value) } }
            }
        }
    }

    private func writeTimes(to json: inout JSONText) {
        let stamp = { (time: WallTime?) -> Int? in time.map { Int($0.seconds) } }
        json.member("created_at", stamp(times.created))
        json.member("in_progress_at", stamp(times.inProgress))
        json.member("expires_at", stamp(times.expires))
        json.member("finalizing_at", stamp(times.finalizing))
        json.member("completed_at", stamp(times.completed))
        json.member("failed_at", stamp(times.failed))
        json.member("expired_at", stamp(times.expired))
        json.member("cancelling_at", stamp(times.cancelling))
        json.member("cancelled_at", stamp(times.cancelled))
    }

    private func writeErrors(to json: inout JSONText) {
        guard !faults.isEmpty else { return json.nullMember("errors") }
        json.object("errors") {
            $0.member("object", "list")
            $0.array("data") {
                for fault in faults {
                    $0.object {
                        $0.member("code", fault.code)
                        $0.member("message", fault.message)
                        $0.member("param", fault.parameter)
                        $0.member("line", fault.line)
                    }
                }
            }
        }
    }

    private func writeUsage(to json: inout JSONText) {
        json.object("usage") {
            $0.member("input_tokens", usage.inputTokens)
            $0.object("input_tokens_details") { $0.member("cached_tokens", usage.cachedTokens) }
            $0.member("output_tokens", usage.outputTokens)
            // Engines report no separate count of reasoning tokens for every path; the client's model needs a number.
            $0.object("output_tokens_details") { $0.member("reasoning_tokens", 0) }
            $0.member("total_tokens", usage.inputTokens + usage.outputTokens)
        }
    }
}
