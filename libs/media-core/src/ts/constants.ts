/** Bytes of a transport packet (ISO/IEC 13818-1, 2.4.3.2). */
export const TS_PACKET_BYTES = 188;
/** First byte of each packet. */
export const TS_SYNC_BYTE = 0x47;

/** PID of the program association table, the first that a reader needs (ISO/IEC 13818-1, table 2-3). */
export const PAT_PID = 0x0000;
/** PID of the service description table, which names the service (ETSI EN 300 468, 5.1.3). */
export const SDT_PID = 0x0011;

/** PIDs that our muxer uses: the same as FFmpeg's and PyTrickle's, so that captures look familiar. */
export const PMT_PID = 0x1000;
/** PID of the video stream, which also carries the PCR. */
export const VIDEO_PID = 0x0100;
/** PID of the audio stream. */
export const AUDIO_PID = 0x0101;

/** Values of `stream_type` that we understand (ISO/IEC 13818-1, table 2-34). Opus is private data that its descriptor names. */
export const STREAM_TYPE = { aac: 0x0f, private: 0x06, h264: 0x1b, hevc: 0x24 } as const;

/** The clock of PTS and DTS is 33 bits wide: it starts again after 26.5 hours. */
export const TIMESTAMP_WRAP = 2 ** 33;
