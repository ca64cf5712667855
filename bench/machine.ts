/** What the figures were measured on. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { bestRuntime } from 'goodnet/node'

export interface Machine {
	readonly cpu: string
	readonly cores: number
	readonly memoryGiB: number
	readonly node: string
	readonly runtime: string
	readonly threads: number
}

export async function machineFacts(): Promise<Machine> {
	const { name, version, threads } = await bestRuntime()
	return {
		cpu: cpus()[0]?.model ?? 'unknown',
		cores: availableParallelism(),
		memoryGiB: Math.round(totalmem() / 2 ** 30),
		node: process.version,
		runtime: `${name} ${version}`,
		threads,
	}
}

export function sayMachine({ cpu, cores, memoryGiB, node, runtime, threads }: Machine): string {
	return `${cpu}, ${cores} cores, ${memoryGiB} GiB; Node ${node.slice(1)}, ${runtime}, ${threads} threads`
}
