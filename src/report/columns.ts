/** Columns of plain text, and how rates with their intervals stand in them. */

/** Cells of a column of rates, and how many lines each row takes. */
export interface RateLayout {
	readonly linesPerRow: 1 | 2
	cells(parts: readonly { readonly share: string; readonly interval: string }[]): string[]
}

/** Shares right-aligned under each other, each with its interval beside it. */
export const besideRates: RateLayout = {
	linesPerRow: 1,
	cells(parts) {
		const width = Math.max(...parts.map(({ share }) => share.length))
		return parts.map(({ share, interval }) => `${share.padStart(width)} ${interval}`.trimEnd())
	},
}

/** Each interval below its share. */
export const belowRates: RateLayout = {
	linesPerRow: 2,
	cells: (parts) => parts.flatMap(({ share, interval }) => [share, interval]),
}

/** Lines of text from columns whose first cell is the heading: each padded to its widest cell, two spaces between, ruled below. */
export function alignColumns(columns: readonly (readonly string[])[]): string[] {
	const padded = columns.map((cells) => {
		const width = Math.max(...cells.map((cell) => cell.length))
		const [heading = '', ...body] = cells.map((cell) => cell.padEnd(width))
		return [heading, '─'.repeat(width), ...body]
	})
	const height = padded[0]?.length ?? 0
	return Array.from({ length: height }, (_, line) =>
		padded
			.map((cells) => cells[line])
			.join('  ')
			.trimEnd(),
	)
}
