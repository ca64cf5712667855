/**
 * Loaded into a measured process before its own code (`node --import`): writes the peak of its resident memory, in bytes, to file
 * descriptor 3 when it ends. Not `resourceUsage().maxRSS` where Linux tells better: that begins with the memory of the process which forked.
 */
import { readFileSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) process.on('exit', () => writeSync(3, String(peakBytes())))

function peakBytes() {
	if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
	const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
	return Number(kilobytes) * 1024
}
