-- wrk script: POST /v1/chat/completions, 64 different prompts of BYTES bytes in turn; prints one JSON line at the end.
local bytes = tonumber(os.getenv("BYTES") or "1024")
local filler = string.rep("lorem ipsum dolor sit amet ", math.floor(bytes / 27) + 1)
local requests, turn = {}, 0

init = function(arguments)
    for session = 0, 63 do
        local head = '{"model":"mock","max_tokens":64,"temperature":0.7,"messages":[{"role":"user","content":"session '
            .. session .. " "
        local body = head .. filler:sub(1, math.max(1, bytes - #head - 4)) .. '"}]}'
        local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer bench", ["Host"] = wrk.host }
        requests[session] = wrk.format("POST", "/v1/chat/completions", headers, body)
    end
end

request = function()
    turn = (turn + 1) % 64
    return requests[turn]
end

done = function(summary, latency, _)
    local e = summary.errors
    io.write(string.format(
        '{"requests":%d,"window_s":%.3f,"mean_us":%.0f,"p50_us":%.0f,"p99_us":%.0f,"errors":%d}\n',
        summary.requests, summary.duration / 1e6, latency.mean, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
