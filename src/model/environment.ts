/** What a run ran on, for its record. */
import type { EnvironmentRecord } from '../contracts/prune-run.ts'
import type { Runtime } from '../runtime/runtime.ts'

export function environmentRecord({ name, version, threads, device }: Runtime, goodnet: string): EnvironmentRecord {
	return { goodnet, node: process.version, onnxruntime: `${name} ${version}`, threads, device }
}
