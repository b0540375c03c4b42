using System.Globalization;
using System.Runtime.CompilerServices;

namespace Fusion;

public sealed partial class NDArray
{
    /// <summary>
    /// The values as NumPy prints them, and below them shape, element type and device. Arrays of more than 1000 elements show three at each end of
    /// an axis. An array without a value (traced or disposed) says so.
    /// </summary>
    public override string ToString() => _storage switch
    {
        null => $"<disposed {_shape} {_dtype}>",
        SymbolicValue => $"<traced {_shape} {_dtype}>",
        _ => $"{ArrayFormatter.Format(OnHost())}\n<NDArray {_shape} {_dtype} @{Device}>",
    };

    /// <summary>One line for the debugger: type, shape and the first values.</summary>
    internal string DebuggerText
    {
        get
        {
            if (IsOnGpu) return $"{_dtype} {_shape} @{Device}"; // the debugger must not wait for a device
            if (!HasData) return ToString();
            const int shown = 8;
            List<string> values = [];
            for (long i = 0; i < Math.Min(Size, shown); i++) values.Add(ElementText.Scalar(ElementAt(i)));
            return $"{_dtype} {_shape} [{string.Join(", ", values)}{(Size > shown ? ", …" : string.Empty)}]";
        }
    }

    /// <summary>The element at a row-major position of an array with a value, boxed: for text, not for arithmetic.</summary>
    internal object ElementAt(long position)
    {
        Span<long> strides = stackalloc long[Rank];
        CopyStrides(strides);
        long offset = 0;
        for (int axis = Rank - 1; axis >= 0; axis--)
        {
            (position, long i) = Math.DivRem(position, _shape.Dimensions[axis]);
            offset += i * strides[axis];
        }

        object element = ReadElement(ref Unsafe.AddByteOffset(ref Data, (nint)(offset * _dtype.Size)));
        GC.KeepAlive(this);
        return element;
    }

    /// <summary>The element of an array with one, as a double.</summary>
    internal double SingleNumber()
    {
        ref byte source = ref Data;
        double number = _dtype switch
        {
            DType.Float32 => Unsafe.ReadUnaligned<float>(ref source),
            DType.Float64 => Unsafe.ReadUnaligned<double>(ref source),
            DType.Int32 => Unsafe.ReadUnaligned<int>(ref source),
            DType.Int64 => Unsafe.ReadUnaligned<long>(ref source),
            DType.Float16 => (double)Unsafe.ReadUnaligned<Half>(ref source),
            DType.BFloat16 => (double)Unsafe.ReadUnaligned<BFloat16>(ref source),
            _ => source,
        };
        GC.KeepAlive(this);
        return number;
    }

    private object ReadElement(ref byte source) => _dtype switch
    {
        DType.Float32 => Unsafe.ReadUnaligned<float>(ref source),
        DType.Float64 => Unsafe.ReadUnaligned<double>(ref source),
        DType.Int32 => Unsafe.ReadUnaligned<int>(ref source),
        DType.Int64 => Unsafe.ReadUnaligned<long>(ref source),
        DType.UInt8 => source,
        DType.Float16 => Unsafe.ReadUnaligned<Half>(ref source),
        DType.BFloat16 => Unsafe.ReadUnaligned<BFloat16>(ref source),
        _ => source != 0,
    };
}
