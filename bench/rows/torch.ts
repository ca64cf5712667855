/** Ours against PyTorch on the CPU: a plain forward pass, and the sweep the lab's way, which runs the whole net again for each channel. */
import { type ImageSet, predictLabels, prune, type Sweep } from 'goodnet/node'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import { findPython, startTorch, type TorchPeer } from '../peers/torch.ts'
import type { Bench, Row } from '../row.ts'
import { faceSubject } from '../subjects/faces.ts'
import { tile } from '../subjects/tile.ts'

const IMAGES = 4000
/** The lab's way takes 62 passes; on half of the images each the rounds take three minutes together. */
const SWEEP_IMAGES = 2000
/** As many images a run as ours. */
const BATCH = 64
const SWEEP_ROUNDS = 3

const FORWARD = {
	what: 'plain forward pass, face net: PyTorch CPU ÷ ours',
	unit: '×',
	must: { atLeast: 2 },
	aim: null,
} as const
const SWEEP = {
	what: 'whole sweep, face net: the lab’s way in PyTorch ÷ ours',
	unit: '×',
	must: { atLeast: 60 },
	aim: { atLeast: 120 },
} as const

export const torch: Bench = {
	name: 'torch',
	async run({ rounds, folder }) {
		const python = findPython()
		if (python === null) {
			const note = 'Python with torch, h5py and numpy is not installed here (Debian: python3-torch, python3-h5py)'
			return [FORWARD, SWEEP].map((row) => ({ ...row, figure: null, note, raw: {} }))
		}
		const { name, path, net, faces } = await faceSubject()
		const { images, pixels } = await tile(faces, IMAGES)
		const { threads } = net.runtime
		const peer = await startTorch(python, { path, images, pixels, threads, batch: BATCH, folder })
		const choices = `PyTorch ${peer.version}, inference mode, ${peer.memoryFormat} (the faster), ${threads} threads, ${BATCH} images a run`
		try {
			return [
				await race(peer, {
					row: FORWARD,
					job: 'forward',
					images,
					rounds,
					note: `${name} tiled to ${IMAGES}; ${choices}; the same labels`,
					ours: (set) => predictLabels(net, set),
				}),
				await race(peer, {
					row: SWEEP,
					job: 'sweep',
					images: (await tile(faces, SWEEP_IMAGES)).images,
					rounds: Math.min(rounds, SWEEP_ROUNDS),
					note: `${name} tiled to ${SWEEP_IMAGES}; ${choices}; the same counts at every step`,
					ours: async (set) => correctCounts(await prune(net, set)),
				}),
			]
		} finally {
			peer.close()
		}
	},
}

/** Both do the same job on the same images, in turn; both must come to the same answer. */
interface Race {
	readonly row: Pick<Row, 'what' | 'unit' | 'must' | 'aim'>
	readonly job: 'forward' | 'sweep'
	readonly images: ImageSet
	readonly rounds: number
	readonly note: string
	ours(images: ImageSet): Promise<Iterable<number>>
}

async function race(peer: TorchPeer, { row, job, images, rounds, note, ours }: Race): Promise<Row> {
	const answers = { ours: [] as readonly number[], torch: [] as readonly number[] }
	const seconds = await alternate(
		{
			ours: async () => {
				answers.ours = [...(await ours(images))]
			},
			torch: async () => {
				const { seconds, answer } = await peer.run(job, images.count)
				answers.torch = answer
				return seconds
			},
		},
		rounds,
	)
	checkSame(row.what, answers.ours, answers.torch)
	return { ...row, figure: spreadOf(ratios(seconds, 'torch', 'ours')), note, raw: seconds }
}

function correctCounts({ steps }: Sweep): number[] {
	return steps.flatMap(({ valid }) => (valid ? [valid.correct] : []))
}

/** A race between two programs that answer differently says nothing. */
function checkSame(what: string, ours: readonly number[], theirs: readonly number[]): void {
	const at = ours.findIndex((value, i) => value !== theirs[i])
	if (at < 0 && ours.length === theirs.length) return
	throw new Error(`${what} differ from PyTorch’s at ${at}: ours ${ours[at]}, theirs ${theirs[at]}`)
}
