-- Whether a call is known, and what it was answered.
-- KEYS[1]: the call. ARGV[1]: fingerprint of what is asked. ARGV[2]: how long it is kept from now, in ms.
local known = redis.call('HMGET', KEYS[1], 'request', 'answer')
if not known[1] then
  return {'new'}
end
if known[1] ~= ARGV[1] then
  return {'conflict'}
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'duplicate', known[2]}
