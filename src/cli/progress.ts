/** A progress bar on stderr: stage, share, rate and time left on a terminal; one plain line a stage otherwise. */
import type { Io } from './command.ts'

const BAR_WIDTH = 24
/** Fast enough to look alive, slow enough not to cost anything. */
const REDRAW_MS = 80

export interface Progress {
	/** Call as often as you like; `unit` is what is counted, e.g. `images`, empty where nobody knows, and `note` stands behind the bar. */
	update(stage: string, done: number, total: number, unit?: string, note?: string): void
	/** A line of its own where there is no bar to look at. */
	say(line: string): void
	/** Leaves the line in peace, so that something else can be printed. */
	finish(): void
}

export function createProgress(io: Io, isQuiet: boolean): Progress {
	if (isQuiet) return { update() {}, say() {}, finish() {} }
	return io.stderr.isTTY ? terminalProgress(io) : plainProgress(io)
}

function terminalProgress({ stderr, now }: Io): Progress {
	const clock = stageClock(now)
	let drawnAt = Number.NEGATIVE_INFINITY
	let isDirty = false
	const clear = () => {
		if (isDirty) stderr.write('\r\u001b[2K')
		isDirty = false
	}
	return {
		say() {},
		update(stage, done, total, unit = 'images', note = '') {
			const pace = clock(stage, done)
			const isLast = done >= total
			if (!isLast && now() - drawnAt < REDRAW_MS) return
			drawnAt = now()
			const line = barLine({ stage, done, total, unit, note }, pace, (stderr.columns ?? 100) - 1)
			stderr.write(`\r\u001b[2K${line}`)
			isDirty = true
			if (isLast) {
				stderr.write('\n')
				isDirty = false
			}
		},
		finish: clear,
	}
}

function plainProgress({ stderr, now }: Io): Progress {
	const clock = stageClock(now)
	return {
		update(stage, done, total, unit = 'images') {
			const { elapsed } = clock(stage, done)
			if (done < total) return
			const counted = unit === '' ? '' : `${total} ${unit} in `
			stderr.write(`${stage}: ${counted}${showSeconds(elapsed)}\n`)
		},
		say: (line) => stderr.write(`${line}\n`),
		finish() {},
	}
}

interface Pace {
	/** Seconds since the stage began. */
	readonly elapsed: number
	/** Units a second, as far as this process did them: a resumed run begins in the middle. 0 where nothing is known yet. */
	readonly rate: number
}

/** A stage begins when the one before it was last heard of. */
function stageClock(now: () => number): (stage: string, done: number) => Pace {
	let current = ''
	let start = now()
	let heard = start
	let first = { done: 0, at: start }
	return (stage, done) => {
		const isNew = stage !== current
		if (isNew) start = heard
		current = stage
		heard = now()
		if (isNew) first = { done, at: heard }
		const seconds = (heard - first.at) / 1000
		return { elapsed: (heard - start) / 1000, rate: seconds > 0 ? (done - first.done) / seconds : 0 }
	}
}

interface BarFacts {
	readonly stage: string
	readonly done: number
	readonly total: number
	readonly unit: string
	readonly note: string
}

/** Everything in words first; the bar takes what room is left, and is the first to go. */
function barLine({ stage, done, total, unit, note }: BarFacts, { rate }: Pace, columns: number): string {
	const share = total > 0 ? done / total : 1
	const percent = `${String(Math.round(share * 100)).padStart(3)} %`
	const speed = unit === 'images' && rate > 0 ? `, ${Math.round(rate)}/s` : ''
	const left = rate > 0 && done < total ? `, ${showSeconds((total - done) / rate)} left` : ''
	const words = `${percent}  ${note || `${done}/${total} ${unit}`.trimEnd()}${speed}${left}`
	const name = note ? stage : stage.padEnd(18)
	const room = Math.min(BAR_WIDTH, columns - name.length - words.length - 2)
	const filled = Math.round(share * room)
	const drawn = room > 3 ? `${'█'.repeat(filled)}${'░'.repeat(room - filled)} ` : ''
	return `${name} ${drawn}${words}`.slice(0, columns)
}

/** A duration as one says it. */
export function showSeconds(value: number): string {
	if (value < 10) return `${value.toFixed(1)} s`
	if (value < 90) return `${Math.round(value)} s`
	const whole = Math.round(value)
	return `${Math.floor(whole / 60)} min ${whole % 60} s`
}
