using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>How code on the elements of a product finds an operand.</summary>
internal enum ProductAccess
{
    /// <summary>The element of the product itself.</summary>
    Product,

    /// <summary>At the place of the element.</summary>
    Own,

    /// <summary>One element for all.</summary>
    One,

    /// <summary>A number of the host: an argument.</summary>
    Host,

    /// <summary>By row and column: see <see cref="ProductMemory.Place"/>.</summary>
    Mapped,

    /// <summary>As <see cref="Mapped"/>, one element for a row.</summary>
    PerRow,
}

/// <summary>An operand of the code on the elements of a product, as kernels see it.</summary>
internal struct ProductOperand
{
    /// <summary>The elements.</summary>
    public ArrayView<byte> View;

    /// <summary>A number of the host.</summary>
    public double Double;

    /// <summary>The same.</summary>
    public float Single;

    /// <summary>Elements of a row of it, 1 or those of the product.</summary>
    public int Width;

    /// <summary>Row r of the product reads row r / Divisor % Period.</summary>
    public int Divisor;

    public int Period;
}

/// <summary>The operands besides the product. A struct of views and numbers is a kernel's argument; ILGPU has no arrays there.</summary>
internal struct ProductOperands
{
    /// <summary>The most of them.</summary>
    public const int Max = 8;

    public ProductOperand O0;
    public ProductOperand O1;
    public ProductOperand O2;
    public ProductOperand O3;
    public ProductOperand O4;
    public ProductOperand O5;
    public ProductOperand O6;
    public ProductOperand O7;

    /// <summary>Elements of the product before those of this launch.</summary>
    public int Start;

    /// <summary>Elements of a row of the whole.</summary>
    public int Columns;

    public ProductOperand this[int i]
    {
        set
        {
            switch (i)
            {
                case 0: O0 = value; break;
                case 1: O1 = value; break;
                case 2: O2 = value; break;
                case 3: O3 = value; break;
                case 4: O4 = value; break;
                case 5: O5 = value; break;
                case 6: O6 = value; break;
                default: O7 = value; break;
            }
        }
    }
}

/// <summary>Places of operands, for the trees of <see cref="ProductCodeTree"/>.</summary>
internal static class ProductMemory
{
    /// <summary>The row of the whole product of an element of this launch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Row(int start, int columns, int index) => (start + index) / columns;

    /// <summary>Its column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Column(int start, int columns, int index) => (start + index) % columns;

    /// <summary>Where an operand's element is; further columns follow where it has more than one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(int width, int divisor, int period, int row, int column)
    {
        int first = row / divisor % period * width;
        return width == 1 ? first : first + column;
    }

    /// <summary>The elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ArrayView<T> View<T>(ArrayView<byte> bytes)
        where T : unmanaged => bytes.Cast<T>();

    /// <summary>A mask that came as an argument.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSet(float number) => number != 0;
}
