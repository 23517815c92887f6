-- Asks wrk's threads to go round the requests in $BENCH_REQUESTS: a line each, path, a tab and a body for a POST,
-- a tab and a tag for If-None-Match.
local made = {}
local threads = 0

function setup(thread)
  thread:set("offset", threads)
  threads = threads + 1
end

function init(args)
  for line in io.lines(os.getenv("BENCH_REQUESTS")) do
    local path, body, tag = line:match("^([^\t]+)\t([^\t]*)\t(.*)$")
    local headers = { ["Host"] = "127.0.0.1", ["Accept"] = "application/json" }
    if body ~= "" then headers["Content-Type"] = "application/json" end
    if tag ~= "" then headers["If-None-Match"] = tag end
    made[#made + 1] = wrk.format(body ~= "" and "POST" or "GET", path, headers, body ~= "" and body or nil)
  end
  at = math.floor(#made / 2) * offset
end

function request()
  at = at % #made + 1
  return made[at]
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format("@@ %d %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    failed.status + failed.timeout + failed.connect + failed.read + failed.write,
    latency:percentile(50), latency:percentile(99), latency.max))
end
