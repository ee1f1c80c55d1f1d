// SPDX-License-Identifier: Apache-2.0
//
// How a state is meant: each tone has a color, a shape (icons.tsx) and always words of its own beside them.
export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'info';

// Of an answer's status.
export const statusTone = (status: number): Tone => (status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good');
