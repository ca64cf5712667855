/** Ours against PyTorch on the CPU: a plain forward pass, and the sweep the lab's way, which runs the whole net again for each channel. */
import { predictLabels, prune, type Sweep } from 'goodnet/node'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import { findPython, startTorch, type TorchPeer } from '../peers/torch.ts'
import type { Bench, Row } from '../row.ts'
import { type FaceSubject, faceSubject } from '../subjects/faces.ts'
import { tile } from '../subjects/tile.ts'

const IMAGES = 4000
/** The lab's way takes 62 passes; on a quarter of the images each the rounds take a minute together. */
const SWEEP_IMAGES = 1000
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
		const subject = await faceSubject()
		const { images, pixels } = await tile(subject.faces, IMAGES)
		const { threads } = subject.net.runtime
		const job = { path: subject.path, images, pixels, threads, batch: BATCH, folder }
		const peer = await startTorch(python, job)
		try {
			const choices = `PyTorch ${peer.version}, inference mode, ${peer.memoryFormat} (the faster), ${threads} threads, ${BATCH} images a run`
			return [await forwardRow(subject, peer, rounds, choices), await sweepRow(subject, peer, rounds, choices)]
		} finally {
			peer.close()
		}
	},
}

async function forwardRow(
	{ name, net, faces }: FaceSubject,
	peer: TorchPeer,
	rounds: number,
	choices: string,
): Promise<Row> {
	const { images } = await tile(faces, IMAGES)
	const answers = { ours: [] as number[], theirs: [] as readonly number[] }
	const seconds = await alternate(
		{
			ours: async () => {
				answers.ours = [...(await predictLabels(net, images))]
			},
			torch: async () => {
				const { seconds, answer } = await peer.run('forward', IMAGES)
				answers.theirs = answer
				return seconds
			},
		},
		rounds,
	)
	checkSame('labels', answers.ours, answers.theirs)
	const figure = spreadOf(ratios(seconds, 'torch', 'ours'))
	return { ...FORWARD, figure, note: `${name} tiled to ${IMAGES}; ${choices}; the same labels`, raw: seconds }
}

async function sweepRow(
	{ name, net, faces }: FaceSubject,
	peer: TorchPeer,
	rounds: number,
	choices: string,
): Promise<Row> {
	const { images } = await tile(faces, SWEEP_IMAGES)
	const counts = { ours: [] as number[], theirs: [] as readonly number[] }
	const seconds = await alternate(
		{
			ours: async () => {
				counts.ours = correctCounts(await prune(net, images))
			},
			torch: async () => {
				const { seconds, answer } = await peer.run('sweep', SWEEP_IMAGES)
				counts.theirs = answer
				return seconds
			},
		},
		Math.min(rounds, SWEEP_ROUNDS),
	)
	checkSame('counts', counts.ours, counts.theirs)
	const figure = spreadOf(ratios(seconds, 'torch', 'ours'))
	return {
		...SWEEP,
		figure,
		note: `${name} tiled to ${SWEEP_IMAGES}; ${choices}; the same counts at every step`,
		raw: seconds,
	}
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
