-- At most one of Ready=True, Reconciling and Stalled is present, and all of them describe the
-- generation in status.observedGeneration.
local health = {status = "Progressing", message = "Waiting for the operator"}

if obj.spec ~= nil and obj.spec.suspend == true then
  health.status = "Suspended"
  health.message = "spec.suspend is true"
  return health
end

if obj.status == nil or obj.status.conditions == nil then
  return health
end

-- A new resource has the observed generation -1.
if obj.metadata.generation ~= nil and obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end

local function text(condition)
  return condition.reason .. ": " .. condition.message
end

local ready = conditions["Ready"]
if conditions["Stalled"] ~= nil and conditions["Stalled"].status == "True" then
  health.status = "Degraded"
  health.message = text(conditions["Stalled"])
elseif conditions["Reconciling"] ~= nil and conditions["Reconciling"].status == "True" then
  health.message = text(conditions["Reconciling"])
elseif ready ~= nil and ready.status == "True" then
  health.status = "Healthy"
  health.message = ready.message
  -- The published pair stays in use while AWS cannot be asked.
  local verified = conditions["Verified"]
  if verified ~= nil and verified.status ~= "True" then
    health.message = text(verified)
  end
elseif ready ~= nil and ready.status == "False" then
  health.status = "Degraded"
  health.message = text(ready)
end

return health
