-- Refuses a gRPC request that is not one whole plain message: five bytes that say its length, and as many bytes. A service's server
-- waits for what never comes, without a word, until the gateway's own deadline; enough of them would hold all its places.
function envoy_on_request(handle)
  local body = handle:body()
  local length = body and body:length() or 0
  if length >= 5 then
    local flag, a, b, c, d = body:getBytes(0, 5):byte(1, 5)
    if flag == 0 and ((a * 256 + b) * 256 + c) * 256 + d == length - 5 then return end
  end
  handle:respond({ [':status'] = '400' }, 'the message is not whole')
end
