/** Our PyTorch version of what one would use otherwise, in a process of its own that waits while ours is measured. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ImageSet } from 'goodnet/node'

const scripts = {
	faceNet: fileURLToPath(new URL('face_net.py', import.meta.url)),
	training: fileURLToPath(new URL('training.py', import.meta.url)),
}

/** Debian's own first: `python3` may be another one that knows nothing of Debian's packages. */
const PYTHONS = ['/usr/bin/python3', 'python3']

/**
 * How long idle threads of GNU OpenMP spin before they sleep. By default, with as many threads as cores, they never sleep, and a neighbour
 * that takes one core makes PyTorch tens of times slower; that would flatter us.
 */
const SPIN_COUNT = '10000'

export interface TorchSubject {
	/** Model file with the lab's layer names. */
	readonly path: string
	readonly images: ImageSet
	/** The images' bytes, `[N, …]` in their layout. */
	readonly pixels: Uint8Array
	readonly threads: number
	readonly batch: number
	/** Where the images go on their way to it. */
	readonly folder: string
}

/** A net to train. */
export interface TorchTraining {
	/** One of `ARCHITECTURES`, and its `.h5`. */
	readonly name: string
	readonly path: string
	/** `[N, height, width, channels]`. */
	readonly pixels: Uint8Array
	readonly labels: Int32Array
	readonly threads: number
	readonly batch: number
	/** Learning rate of SGD with momentum 0.9. */
	readonly rate: number
	readonly folder: string
}

export interface TorchAnswer {
	readonly seconds: number
	/** `forward`: a label an image. `sweep`: images answered correctly by each net, the whole one first. `train`: the mean loss. */
	readonly answer: readonly number[]
}

export interface TorchPeer {
	readonly version: string
	/** The faster one, as tried at the start. */
	readonly memoryFormat: string
	/** @param count images, or steps of `train`, whose `seconds` are a step's */
	run(job: 'forward' | 'sweep' | 'train', count: number): Promise<TorchAnswer>
	close(): void
}

/** The first Python that has what the script imports; null where none has. */
export function findPython(): string | null {
	const has = (python: string) => spawnSync(python, ['-c', 'import h5py, numpy, torch']).status === 0
	return PYTHONS.find(has) ?? null
}

export async function startTorch(
	python: string,
	{ path, images, pixels, threads, batch, folder }: TorchSubject,
): Promise<TorchPeer> {
	const files = { pixels: join(folder, 'torch-pixels.u8'), labels: join(folder, 'torch-labels.i32') }
	await writeFile(files.pixels, pixels)
	await writeFile(files.labels, images.labels!)
	const parameters = [path, files.pixels, images.layout, files.labels, String(threads), String(batch)]
	return startPeer(python, scripts.faceNet, parameters)
}

export async function startTraining(
	python: string,
	{ name, path, pixels, labels, threads, batch, rate, folder }: TorchTraining,
): Promise<TorchPeer> {
	const files = { pixels: join(folder, `${name}-pixels.u8`), labels: join(folder, `${name}-labels.i32`) }
	await writeFile(files.pixels, pixels)
	await writeFile(files.labels, labels)
	const parameters = [name, path, files.pixels, files.labels, String(threads), String(batch), String(rate)]
	return startPeer(python, scripts.training, parameters)
}

async function startPeer(python: string, script: string, parameters: readonly string[]): Promise<TorchPeer> {
	const child = spawn(python, [script, ...parameters], { env: { ...process.env, GOMP_SPINCOUNT: SPIN_COUNT } })
	const next = answersOf(child, script)
	// What the script says first, see there.
	const { version, memoryFormat } = (await next()) as Pick<TorchPeer, 'version' | 'memoryFormat'>
	return {
		version,
		memoryFormat,
		async run(job, count) {
			child.stdin.write(`${job} ${count}\n`)
			return (await next()) as TorchAnswer // what the script says to a job
		},
		close: () => child.stdin.end(),
	}
}

/** @returns the next line of the child, parsed; it fails with the child's words where the child has ended */
function answersOf(child: ChildProcessWithoutNullStreams, script: string): () => Promise<unknown> {
	let words = ''
	child.stderr.on('data', (bytes: Buffer) => {
		words += bytes.toString()
	})
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	return async () => {
		const { value, done } = await lines.next()
		if (done) throw new Error(`${script} ended: ${words}`)
		return JSON.parse(value)
	}
}
