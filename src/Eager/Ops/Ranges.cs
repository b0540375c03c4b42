using System.Runtime.InteropServices;

namespace Fusion;

/// <summary>The numbers that are allowed, the function that was called and its parameter, and what the numbers are: messages name all of them.</summary>
internal sealed record RangeAttributes(string Function, string Parameter, string What, long Least, long Most);

/// <summary>Numbers as they are, checked when they are known: in a compiled function at every call.</summary>
internal static class Ranges
{
    public static void Run(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray dense = inputs[0].Contiguous();
        ReadOnlySpan<long> numbers = MemoryMarshal.Cast<byte, long>(dense.Bytes);
        (string function, string parameter, string what, long least, long most) = (RangeAttributes)attributes!;
        for (int i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] < least || numbers[i] > most)
                throw new ArgumentOutOfRangeException(parameter, numbers[i], $"{function}: {what} {numbers[i]} at position {i} is out of range: {least} to {most}.");
        }

        numbers.CopyTo(MemoryMarshal.Cast<byte, long>(outputs[0].Bytes));
        GC.KeepAlive(dense);
    }
}
