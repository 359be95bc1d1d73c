// Dropout whose mask is the one of in9-kernels: word i of the ChaCha8 stream of a key decides about element i.
//
// The key is an argument, or stands in two words on the device, lower one first: a captured graph gets another one each time.
#include "in9.cuh"

DEVICE unsigned rotated(unsigned v, int by) { return (v << by) | (v >> (32 - by)); }

DEVICE void quarter_round(unsigned &a, unsigned &b, unsigned &c, unsigned &d) {
    a += b; d = rotated(d ^ a, 16);
    c += d; b = rotated(b ^ c, 12);
    a += b; d = rotated(d ^ a, 8);
    c += d; b = rotated(b ^ c, 7);
}

// A thread makes one block of the stream and so decides about sixteen elements.
KERNEL(dropout, Global<const float> x, Global<float> y, Global<const unsigned> key, i64 count, int on_device,
       unsigned key_low, unsigned key_high, unsigned threshold, float scale) {
    i64 block = thread_number();
    if (block * 16 >= count) return;
    if (on_device) {
        key_low = key[0];
        key_high = key[1];
    }
    unsigned start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key_low, key_high, 0, 0, 0, 0, 0, 0,
                          unsigned(block), unsigned(block >> 32), 0, 0};
    unsigned s[16];
#pragma unroll
    for (int i = 0; i < 16; i++) s[i] = start[i];
#pragma unroll
    for (int round = 0; round < 4; round++) {
        quarter_round(s[0], s[4], s[8], s[12]);
        quarter_round(s[1], s[5], s[9], s[13]);
        quarter_round(s[2], s[6], s[10], s[14]);
        quarter_round(s[3], s[7], s[11], s[15]);
        quarter_round(s[0], s[5], s[10], s[15]);
        quarter_round(s[1], s[6], s[11], s[12]);
        quarter_round(s[2], s[7], s[8], s[13]);
        quarter_round(s[3], s[4], s[9], s[14]);
    }
#pragma unroll
    for (int i = 0; i < 16; i++) {
        i64 at = block * 16 + i;
        if (at < count) y[at] = x[at] * (s[i] + start[i] < threshold ? 0.0f : scale);
    }
}
