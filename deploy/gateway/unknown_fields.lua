-- Refuses a JSON body with a name that the request's message does not have. The transcoder would drop the field in silence, and
-- a misspelt setting would be saved as another. MESSAGES (type -> name -> type of the field, or true) stands before this text.
local DEEPEST = 64

-- The first unknown name in `body`, a message of type `root`; nil where there is none. What is no JSON the transcoder refuses.
local function find_unknown(body, root)
  local frames, depth, value, at = {}, 0, MESSAGES[root], 1
  while true do
    local found, _, mark = body:find('(["{}%[%],])', at)
    if not found then return nil end
    at = found + 1
    local frame = frames[depth]
    if mark == '"' then
      local start = at
      repeat
        local stop, _, what = body:find('(["\\])', at)
        if not stop then return nil end
        at = stop + (what == '\\' and 2 or 1)
      until what == '"'
      if frame and frame.is_name_next then
        frame.is_name_next = false
        value = nil
        if frame.fields then
          local name = body:sub(start, at - 2)
          local kind = frame.fields[name]
          if not kind then return name end
          value = MESSAGES[kind]
        end
      end
    elseif mark == '{' or mark == '[' then
      depth = depth + 1
      if depth > DEEPEST then return 'more than ' .. DEEPEST .. ' levels' end
      frames[depth] = { fields = value, is_object = mark == '{', is_name_next = mark == '{' }
    elseif mark == ',' then
      if frame and frame.is_object then frame.is_name_next = true elseif frame then value = frame.fields end
    elseif depth > 0 then
      depth = depth - 1
    end
  end
end

function envoy_on_request(handle)
  local body = handle:body()
  if not body or body:length() == 0 then return end
  local unknown = find_unknown(body:getBytes(0, body:length()), handle:metadata():get('request'))
  if unknown then
    handle:respond({ [':status'] = '400' }, 'unknown field: ' .. unknown:sub(1, 80))
  end
end
