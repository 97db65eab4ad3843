-- What wrk sends: the requests of a file in turn, each a line of method, path and body, separated by tabs.
-- Arguments: the file, and a word that takes the place of every "@@" in a body, with a number that no other request has.
-- At the end one line of JSON tells what came back; times are in microseconds.

local sent = {}
local next_one, number, word = 0, 0, ""

function init(arguments)
  word = arguments[2]
  for line in io.lines(arguments[1]) do
    local method, path, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    if body == "" then body = nil end
    local unique = body ~= nil and body:find("@@", 1, true) ~= nil
    sent[#sent + 1] = {method, path, body, not unique and wrk.format(method, path, nil, body)}
  end
end

function request()
  next_one = next_one % #sent + 1
  local method, path, body, whole = unpack(sent[next_one])
  if whole then return whole end
  number = number + 1
  return wrk.format(method, path, nil, (body:gsub("@@", word .. number)))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "duration": %d, "bytes": %d, "failed": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, summary.bytes, e.status + e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
