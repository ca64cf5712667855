/** A progress bar on stderr: stage, share, rate and time left on a terminal; one plain line a stage otherwise. */
import type { Io } from './command.ts'

const BAR_WIDTH = 24
/** Fast enough to look alive, slow enough not to cost anything. */
const REDRAW_MS = 80

export interface Progress {
	/** Call as often as you like; `unit` is what is counted, e.g. `images`, and `note` stands behind the bar. */
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
			const { elapsed } = clock(stage)
			const isLast = done >= total
			if (!isLast && now() - drawnAt < REDRAW_MS) return
			drawnAt = now()
			stderr.write(
				`\r\u001b[2K${`${bar(stage, done, total, unit, elapsed)}${note && `  ${note}`}`.slice(0, (stderr.columns ?? 100) - 1)}`,
			)
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
			const { elapsed } = clock(stage)
			if (done >= total) stderr.write(`${stage}: ${total} ${unit} in ${showSeconds(elapsed)}\n`)
		},
		say: (line) => stderr.write(`${line}\n`),
		finish() {},
	}
}

/** Time since the current stage began, which is when the one before it was last heard of. */
function stageClock(now: () => number): (stage: string) => { elapsed: number } {
	let current = ''
	let start = now()
	let heard = start
	return (stage) => {
		if (stage !== current) start = heard
		current = stage
		heard = now()
		return { elapsed: (heard - start) / 1000 }
	}
}

function bar(stage: string, done: number, total: number, unit: string, elapsed: number): string {
	const share = total > 0 ? done / total : 1
	const filled = Math.round(share * BAR_WIDTH)
	const rate = elapsed > 0 ? done / elapsed : 0
	const left = rate > 0 && done < total ? `, ${showSeconds((total - done) / rate)} left` : ''
	const line = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
	return `${stage.padEnd(18)} ${line} ${String(Math.round(share * 100)).padStart(3)} %  ${done}/${total} ${unit}${unit === 'images' ? `, ${Math.round(rate)}/s` : ''}${left}`
}

/** A duration as one says it. */
export function showSeconds(value: number): string {
	if (value < 10) return `${value.toFixed(1)} s`
	if (value < 90) return `${Math.round(value)} s`
	const whole = Math.round(value)
	return `${Math.floor(whole / 60)} min ${whole % 60} s`
}
