-- Keeps what a call was answered. What was kept for another request of that name stays.
-- KEYS[1]: the call. ARGV[1]: fingerprint of what was asked. ARGV[2]: the answer. ARGV[3]: how long it is kept, in ms.
local known = redis.call('HGET', KEYS[1], 'request')
if known and known ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'request', ARGV[1], 'answer', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
