using System.Globalization;
using System.IO.Compression;
using Fusion;

namespace Digits;

/// <summary>The handwritten digits: images as rows of 64 numbers between 0 and 1, labels 0 to 9, shuffled once and split.</summary>
internal sealed class DigitsData
{
    private const int Pixels = 64;
    private readonly float[] _pixels;
    private readonly int[] _labels;

    private DigitsData(float[] pixels, int[] labels)
    {
        _pixels = pixels;
        _labels = labels;
    }

    public int Count => _labels.Length;

    public static (DigitsData Train, DigitsData Test) Load(double testShare, int seed)
    {
        using Stream packed = typeof(DigitsData).Assembly.GetManifestResourceStream("digits.csv.gz")!;
        using StreamReader reader = new(new GZipStream(packed, CompressionMode.Decompress));
        List<int[]> rows = [];
        while (reader.ReadLine() is { Length: > 0 } line) rows.Add(Array.ConvertAll(line.Split(','), static s => int.Parse(s, CultureInfo.InvariantCulture)));
        int[][] shuffled = [.. rows];
        new Random(seed).Shuffle(shuffled);
        int tests = (int)(shuffled.Length * testShare);
        return (Pack(shuffled[tests..]), Pack(shuffled[..tests]));
    }

    /// <summary>All images and labels.</summary>
    public (NDArray Images, NDArray Labels) All() => (Nd.Array(_pixels, (Count, Pixels)), Nd.Array(_labels));

    /// <summary>Batches of one size in a random order; what is left over waits for the next epoch.</summary>
    public IEnumerable<(NDArray Images, NDArray Labels)> Batches(int size, Random random)
    {
        int[] order = [.. Enumerable.Range(0, Count)];
        random.Shuffle(order);
        for (int start = 0; start + size <= order.Length; start += size)
        {
            float[] pixels = new float[size * Pixels];
            int[] labels = new int[size];
            for (int i = 0; i < size; i++)
            {
                int from = order[start + i];
                _pixels.AsSpan(from * Pixels, Pixels).CopyTo(pixels.AsSpan(i * Pixels));
                labels[i] = _labels[from];
            }

            yield return (Nd.Array(pixels, (size, Pixels)), Nd.Array(labels));
        }
    }

    private static DigitsData Pack(int[][] rows) => new(
        [.. rows.SelectMany(static row => row.Take(Pixels).Select(static grey => grey / 16f))],
        [.. rows.Select(static row => row[Pixels])]);
}
