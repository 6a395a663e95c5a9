-- Refuses a JSON body with a name that the request's message does not have. The transcoder would drop the field in silence, and
-- a misspelt setting would be saved as another. MESSAGES (type -> name -> what the field is) stands before this text: '' a scalar,
-- 'T' a message, '[]' and '[]T' lists of them.
--
-- It runs in Envoy's worker, so its work is bounded whatever comes: a name stands once in an object and a list only where the
-- message has one, so that only lists make a body long, and of signs there are at most MOST. Long texts are passed over at once.
local MOST, DEEPEST = 30000, 64
-- Between two signs outside of texts stands a number, or white space.
local GAP = 256

-- What is wrong with `body`, a message of type `root`; nil where nothing is. What is no JSON else the transcoder refuses.
local function find_fault(body, root)
  local frames, depth, value, at, signs = {}, 0, root, 1, 0
  while at <= #body do
    signs = signs + 1
    if signs > MOST then return 'the body has too many parts' end
    local found, _, mark = body:sub(at, at + GAP):find('(["{}%[%],])')
    if not found then
      if at + GAP < #body then return 'the body is not JSON' end
      return nil
    end
    local frame = frames[depth]
    -- The transcoder also reads names in single quotes or in none.
    local between = body:sub(at, at + found - 2)
    if between:find("'", 1, true) or (frame and frame.is_name_next and between:find(':', 1, true)) then
      return 'a name or text stands without its quotes'
    end
    at = at + found
    if mark == '"' then
      local start = at
      while true do
        local stop = body:find('"', at, true)
        if not stop then return nil end
        at = stop + 1
        local before = stop - 1
        while before >= start and body:byte(before) == 92 do
          before = before - 1
          signs = signs + 1
        end
        if (stop - before) % 2 == 1 then break end
        signs = signs + 1
        if signs > MOST then return 'the body has too many parts' end
      end
      if frame and frame.is_name_next then
        frame.is_name_next = false
        local name = body:sub(start, math.min(at - 2, start + 80))
        value = frame.fields[name]
        if not value then return 'unknown field: ' .. name end
        if frame.seen[name] then return 'the field stands twice: ' .. name end
        frame.seen[name] = true
      end
    elseif mark == '{' then
      local fields = value and MESSAGES[value]
      if not fields then return 'an object stands where the request has none' end
      depth = depth + 1
      if depth > DEEPEST then return 'more than ' .. DEEPEST .. ' levels' end
      frames[depth] = { fields = fields, seen = {}, is_name_next = true }
    elseif mark == '[' then
      if not value or value:sub(1, 2) ~= '[]' then return 'a list stands where the request has none' end
      depth = depth + 1
      value = value:sub(3)
      frames[depth] = { item = value }
    elseif not frame then
      return 'the body is not JSON'
    elseif mark == ',' then
      if frame.fields then frame.is_name_next = true else value = frame.item end
    else
      depth = depth - 1
      value = nil
    end
  end
  return nil
end

function envoy_on_request(handle)
  local body = handle:body()
  if not body or body:length() == 0 then return end
  local fault = find_fault(body:getBytes(0, body:length()), handle:metadata():get('request'))
  if fault then
    handle:respond({ [':status'] = '400' }, fault)
  end
end
