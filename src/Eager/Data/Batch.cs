using System.Collections;

namespace Fusion.Data;

/// <summary>The arrays of some samples: usually data and labels, so that <c>foreach ((NDArray x, NDArray y) in loader)</c> works.</summary>
public sealed class Batch : IReadOnlyList<NDArray>
{
    private readonly NDArray[] _arrays;

    /// <summary>A batch of these arrays; the first axis counts the samples.</summary>
    /// <exception cref="ArgumentException">There are no arrays.</exception>
    public Batch(params IReadOnlyList<NDArray> arrays)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        if (arrays.Count == 0) throw new ArgumentException("Batch: there are no arrays.", nameof(arrays));
        _arrays = [.. arrays];
        foreach (NDArray array in _arrays) ArgumentNullException.ThrowIfNull(array, nameof(arrays));
    }

    /// <summary>The number of arrays.</summary>
    public int Count => _arrays.Length;

    /// <summary>The first array.</summary>
    public NDArray Data => _arrays[0];

    /// <summary>The second array.</summary>
    /// <exception cref="InvalidOperationException">There is only one.</exception>
    public NDArray Label => At(1);

    /// <summary>An array by position.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such array.</exception>
    public NDArray this[int index] => (uint)index < (uint)_arrays.Length
        ? _arrays[index]
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"Batch: there are {_arrays.Length} arrays, 0 to {_arrays.Length - 1}.");

    /// <summary>Data and labels.</summary>
    public void Deconstruct(out NDArray data, out NDArray label) => (data, label) = (At(0), At(1));

    /// <summary>Three arrays.</summary>
    public void Deconstruct(out NDArray first, out NDArray second, out NDArray third) => (first, second, third) = (At(0), At(1), At(2));

    /// <inheritdoc/>
    public IEnumerator<NDArray> GetEnumerator() => ((IEnumerable<NDArray>)_arrays).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private NDArray At(int index) => index < _arrays.Length
        ? _arrays[index]
        : throw new InvalidOperationException($"The dataset has {_arrays.Length} arrays per sample, array {index} was asked for.");
}
